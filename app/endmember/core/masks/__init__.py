"""Which pixels belong to which phase, and how pure they are."""
