def open_own(:
    pass
