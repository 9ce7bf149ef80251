def cast(:
