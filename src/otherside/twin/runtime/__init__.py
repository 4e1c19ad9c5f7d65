"""What runs by itself: functions, instances, load balancers, DNS, alarms, events."""
