"""The program itself: settings of the person, log, general dialogs."""
