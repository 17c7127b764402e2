"""Charts of a client's page as plain dictionaries, which the browser adapts to the controls by itself."""
