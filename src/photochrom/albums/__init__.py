"""Many photographs: a folder comes in, each result goes to its place, whole or not at all, and nothing is done twice.

Names, the manifest of what is done, results and what lies beside them, recipes, reports. No model is known here.
"""
