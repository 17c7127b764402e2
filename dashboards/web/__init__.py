"""What a web application needs around its pages: sign-in, sessions, headers, guard."""
