"""How much white-matter hyperintensity is there, and where, from the T1w alone?"""
