"""What AWS does and moto does not, by service; the front door asks these first."""
