"""Is the scan what it should be: an image, of a whole brain, of the sequence that its name and header say?"""

from brainsift.tasks.integrity.task import IntegrityTask

TASK = IntegrityTask()
