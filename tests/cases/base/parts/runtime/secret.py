class Secret:
    pass
