"""Is this account or strategy still doing what it promised?"""
