"""What ships to Lambda, together with `otherside.core`."""
