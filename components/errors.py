"""What a component says when it is given an input that it cannot honour."""


class InputError(ValueError):
    """An Args field that cannot be honoured; `str(error)` is one line: component, input, problem, nearest valid value.

    Raised while a component is constructed, before it registers anything, so that nothing is half deployed.
    """

    def __init__(self, component: str, field: str, problem: str, nearest: str | None = None) -> None:
        self.component = component
        self.field = field
        self.problem = problem
        self.nearest = nearest
        advice = f"; nearest supported: {nearest}" if nearest else ""
        super().__init__(f"{component}: {field}: {problem}{advice}")
