"""How much white-matter hyperintensity is there, and where, from the T1w alone?"""

from brainsift.tasks.wmh.task import WmhTask

TASK = WmhTask()
