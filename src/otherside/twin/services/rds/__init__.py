"""Amazon RDS and Aurora Global Database, over real PostgreSQL servers."""
