"""Setting the shop up, running it, testing it. Nothing of the shop imports this."""
