"""How a run goes: its subjects, its servers, its progress, its end."""
