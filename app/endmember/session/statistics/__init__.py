"""What is asked for beyond the compositions: growth, spread, balance, agreement, outlook."""
