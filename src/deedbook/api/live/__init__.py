"""What happens, told at once over WebSockets: public channels from what matchers publish, private ones from the
events in PostgreSQL."""
