"""The shop: puts cooperatives and what they sell before customers. See docs/tour.md."""
