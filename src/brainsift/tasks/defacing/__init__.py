"""Was the face removed, ears and all, and is the brain whole; if not, what went wrong and what to do?"""

from brainsift.tasks.defacing.task import DefacingTask

TASK = DefacingTask()
