"""What the plugin does all the time: look, tell, have memory freed, and judge."""
