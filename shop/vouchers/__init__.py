"""Codes that take something off the goods of an order, and who bears what they take off."""
