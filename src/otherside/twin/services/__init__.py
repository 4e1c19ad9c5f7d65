"""AWS services, one package each: what moto lacks or does differently from AWS."""
