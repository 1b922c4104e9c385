"""What is taken out of every text that a run prints."""

from sandbox.engine.secrets import Redactor
from sandbox.values import Secret


def test_what_the_program_states_in_clear_is_not_taken_for_a_secret() -> None:
    """A provider may give labels back as secrets, as pulumi-gcp does with those that it adds itself."""
    redactor = Redactor()
    redactor.learn(
        {"labels": Secret({"stack": "gcp-germany"}), "password": Secret("hunter2hunter2")},
        stated={"labels": {"stack": "gcp-germany"}},
    )
    assert redactor.clean("gcp-germany: hunter2hunter2") == "gcp-germany: [secret]"
