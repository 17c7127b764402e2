"""The pages a clinic opens in a browser: a caseload, one client, the clinic's outcomes.

``dashboards.app.create_app`` is the only place where they are wired together; nothing here is computed on import.
"""
