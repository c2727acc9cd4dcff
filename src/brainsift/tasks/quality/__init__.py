"""Is it a proper scan of its sequence, and how good is it: motion, noise, contrast, tier?"""

from brainsift.tasks.quality.task import QualityTask

TASK = QualityTask()
