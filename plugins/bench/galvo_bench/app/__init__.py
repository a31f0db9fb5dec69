"""The engraving shop as real processes under load: everything off against everything on."""
