"""How well small lesions are found one by one: bleeds hit, false ones per scan, counts, FROC; for a group of scans."""
