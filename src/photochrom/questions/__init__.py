"""What the net would rather ask than guess: a photograph comes in, a few questions with likely answers go out.

`asking.py` finds the questions, `choices.py` their answers; `page.py` shows them as text, JSON and a picture; answers
become hints (`answers.py`).
"""
