"""Images from a PACS: find exams, fetch each instance once and whole, send results back.

`fetch` is the way in; `store.send` the way back. Both speak DICOMweb (QIDO-RS, WADO-RS, STOW-RS) and the older DIMSE
(C-FIND, C-GET, C-MOVE, C-STORE), as the address in the plan says. Nothing here connects to anything else.
"""
