"""How far readers agree, with intervals; one coefficient a file."""
