"""Who looks on while a run works: a log, metrics, and the sign of life that `brainsift status` reads."""
