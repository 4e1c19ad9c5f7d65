"""Two AWS Regions and a third on one machine."""
