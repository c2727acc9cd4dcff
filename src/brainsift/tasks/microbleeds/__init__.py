"""How many cerebral microbleeds are there, and where, from one GRE, SWI or QSM?"""

from brainsift.tasks.microbleeds.task import MicrobleedTask

TASK = MicrobleedTask()
