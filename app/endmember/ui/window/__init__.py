"""The window round the pages: start, menus, opening and saving."""
