"""Scans that show susceptibility (GRE, SWI, QSM) of heads with microbleeds and what is mistaken for them."""
