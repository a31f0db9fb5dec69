"""Which of the candidates to choose, within a budget."""
