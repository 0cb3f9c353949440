"""Process bodies: what each process does until it is told to stop."""
