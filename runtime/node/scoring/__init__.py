"""Images become scores and answers, in a process of their own that may crash and come again."""
