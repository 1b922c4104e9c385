"""Resource options, providers, reads, imports, invokes and transforms, as a program states them."""

import pytest

from sandbox.engine import Planned, StepDone


def deployed(bench, body):
    bench.program(body)
    outcome = bench.engine().up()
    assert outcome.ok, outcome.error
    return outcome


def test_protect_stops_deletion_replacement_and_destroy(bench):
    program = 'Thing("a", kind="{kind}", opts=pulumi.ResourceOptions(protect={protect}))'
    deployed(bench, program.format(kind="red", protect=True))

    bench.program(program.format(kind="blue", protect=True))
    assert "is protected and would have to be replaced (kind cannot change in place)" in bench.engine().up().error
    bench.program("")
    assert bench.engine().up().error == (
        "memory:index:Thing a: is protected: set protect=False, run up, then delete it"
    )
    assert bench.engine().destroy().error == (
        "nothing was deleted, protected: urn:pulumi:dev::bailiwick::memory:index:Thing::a;"
        " set protect=False, run up, then destroy"
    )
    assert len(bench.cloud.things) == 1

    deployed(bench, program.format(kind="red", protect=False))
    assert bench.engine().destroy().ok
    assert bench.cloud.things == {}


def test_ignore_changes_keeps_what_is_deployed(bench):
    program = """
        Thing("a", "{value}", tags={{"owner": "{value}", "cost": "{value}"}},
              opts=pulumi.ResourceOptions(ignore_changes=["value", "tags.owner"]))
    """
    deployed(bench, program.format(value="one"))
    deployed(bench, program.format(value="two"))
    (step,) = [event.step for event in bench.of(StepDone) if event.step.op == "update"]
    assert step.changed == ("tags",)
    assert bench.resources()["a"]["inputs"] == {
        "size": "small",
        "value": "one",
        "tags": {"owner": "one", "cost": "two"},
    }


def test_replace_on_changes_turns_an_update_into_a_replacement(bench):
    program = 'Thing("a", "{value}", opts=pulumi.ResourceOptions(replace_on_changes=["value"]))'
    deployed(bench, program.format(value="one"))
    assert deployed(bench, program.format(value="two")).changes == {"same": 1, "replace": 1}


def test_retain_on_delete_forgets_without_deleting(bench):
    deployed(bench, 'Thing("a", opts=pulumi.ResourceOptions(retain_on_delete=True))')
    outcome = bench.engine().destroy()
    assert outcome.changes == {"discard": 1, "delete": 1}
    assert len(bench.cloud.things) == 1
    assert bench.resources() == {}


def test_deleted_with_leaves_the_deletion_to_the_other(bench):
    deployed(
        bench,
        """
        a = Thing("a")
        Thing("b", opts=pulumi.ResourceOptions(deleted_with=a))
    """,
    )
    assert bench.engine().destroy().ok
    assert bench.did("delete") == [("delete", "a")]


@pytest.mark.parametrize(
    "alias",
    [
        'pulumi.Alias(name="before")',
        '"urn:pulumi:dev::bailiwick::memory:index:Thing::before"',
        'pulumi.Alias(name="before", parent=pulumi.ROOT_STACK_RESOURCE)',
    ],
)
def test_an_alias_finds_a_renamed_resource_and_dependants_follow(bench, alias):
    deployed(
        bench,
        """
        a = Thing("before", "one")
        Thing("b", a.address)
    """,
    )
    outcome = deployed(
        bench,
        f"""
        a = Thing("after", "one", opts=pulumi.ResourceOptions(aliases=[{alias}]))
        Thing("b", a.address)
    """,
    )
    assert outcome.changes == {"same": 3}
    resources = bench.resources()
    assert sorted(resources) == ["after", "b", "bailiwick-dev", "default"]
    assert resources["b"]["dependencies"] == [resources["after"]["urn"]]


def test_aliases_are_left_out_only_where_nothing_is_deployed(bench):
    bench.program("""
        options = pulumi.ResourceOptions(aliases=[pulumi.Alias(name="before")])
        seen = []
        pulumi.runtime.register_stack_transformation(lambda one: seen.append(len(one.opts.aliases or ())))
        Thing("a", "one", opts=options)
        pulumi.export("seen", seen)
        pulumi.export("still", len(options.aliases))
    """)
    assert [bench.engine().up().outputs for _ in range(2)] == [{"seen": [0], "still": 1}, {"seen": [1], "still": 1}]


def test_children_inherit_the_alias_of_their_parent(bench):
    program = """
        box = Box("{name}", opts=pulumi.ResourceOptions({aliases}))
        Thing("{name}-thing", opts=pulumi.ResourceOptions(parent=box))
    """
    deployed(bench, program.format(name="old", aliases=""))
    outcome = deployed(bench, program.format(name="new", aliases='aliases=[pulumi.Alias(name="old")]'))
    assert outcome.changes == {"same": 3}
    assert bench.did() == [("create", "old-thing")]


def test_an_explicit_provider_is_configured_and_named_in_state(bench):
    deployed(
        bench,
        """
        class Memory(pulumi.ProviderResource):
            def __init__(self, name, **props):
                super().__init__("memory", name, props)

        Thing("a", opts=pulumi.ResourceOptions(provider=Memory("mine", account="sandbox")))
    """,
    )
    resources = bench.resources()
    assert sorted(resources) == ["a", "bailiwick-dev", "mine"]
    assert resources["a"]["provider"] == f"{resources['mine']['urn']}::{resources['mine']['id']}"
    assert bench.cloud.configurations[-1] == {"account": "sandbox"}


def test_a_real_account_is_refused_before_anything_exists(bench):
    (bench.directory / "stacks" / "Pulumi.dev.yaml").write_text("config:\n  memory:account: '4711'\n")
    bench.program("""
        a = Thing("a")
        Thing("b")
    """)
    outcome = bench.engine().up()
    assert not outcome.ok
    assert "InvalidAccount: 4711 is a real account" in outcome.error
    assert bench.did() == []


def test_a_package_without_an_emulated_provider_is_refused(bench):
    bench.program("""
        class Bucket(pulumi.CustomResource):
            def __init__(self):
                super().__init__("aws:s3:Bucket", "b", {})
        Bucket()
    """)
    assert bench.engine().up().error == (
        "aws:s3:Bucket b: no emulated provider for package aws: the local engine deploys to the sandbox only (memory)"
    )


def test_import_adopts_what_exists_and_refuses_another_description(bench):
    bench.cloud.things["/things/found"] = {"size": "small", "value": "there", "address": "x"}
    program = 'Thing("a", "{value}", opts=pulumi.ResourceOptions(import_="/things/found"))'
    bench.program(program.format(value="elsewhere"))
    assert bench.engine().up().error == (
        "memory:index:Thing a: cannot import /things/found: the program says otherwise than the cloud has it at"
        " value; make the program describe it as it is"
    )
    outcome = deployed(bench, program.format(value="there"))
    assert outcome.changes == {"create": 1, "import": 1}
    assert bench.did() == []
    assert bench.resources()["a"]["id"] == "/things/found"
    assert deployed(bench, program.format(value="there")).changes == {"same": 2}


def test_a_resource_that_is_read_is_not_owned(bench):
    bench.cloud.things["/things/found"] = {"size": "small", "value": "there", "address": "of another"}
    outcome = deployed(
        bench,
        """
        found = Thing("found", opts=pulumi.ResourceOptions(id="/things/found"))
        Thing("a", found.address)
        pulumi.export("address", found.address)
    """,
    )
    assert outcome.outputs == {"address": "of another"}
    assert outcome.changes == {"create": 2, "read": 1}
    assert bench.resources()["found"]["external"] is True
    assert bench.engine().destroy().ok
    assert list(bench.cloud.things) == ["/things/found"]


def test_a_resource_to_read_that_is_not_there_fails(bench):
    bench.program('Thing("found", opts=pulumi.ResourceOptions(id="/things/lost"))')
    assert bench.engine().preview().error == "memory:index:Thing found: there is no resource with the id /things/lost"


def test_additional_secret_outputs_are_secret_everywhere(bench):
    outcome = deployed(
        bench,
        """
        a = Thing("a", opts=pulumi.ResourceOptions(additional_secret_outputs=["address"]))
        pulumi.export("address", a.address)
    """,
    )
    assert outcome.outputs == {"address": "[secret]"}
    assert "address of a" not in bench.state.path.read_text()


def test_an_invoke_reaches_the_provider_and_its_refusal_the_user(bench):
    program = """
        answer = pulumi.runtime.invoke("memory:index:ask", {{"value": "{value}"}}).value
        pulumi.export("echo", answer["echo"])
    """
    assert deployed(bench, program.format(value="hello")).outputs == {"echo": "hello"}
    bench.program(program.format(value="refused"))
    error = bench.engine().preview().error
    assert error.startswith("stacks/__main__.py:")
    assert "invoke of memory:index:ask failed: NotFound: nothing of that name" in error


def test_transforms_of_the_resource_and_of_the_stack_are_run(bench):
    deployed(
        bench,
        """
        def stack_wide(args):
            return pulumi.ResourceTransformResult({**args.props, "tag": args.name}, args.opts)

        def own(args):
            return pulumi.ResourceTransformResult(
                {**args.props, "value": "transformed"},
                pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(protect=True)),
            )

        pulumi.runtime.register_resource_transform(stack_wide)
        Thing("a", "one", opts=pulumi.ResourceOptions(transforms=[own]))
        Thing("b", "two")
    """,
    )
    resources = bench.resources()
    assert resources["a"]["inputs"] == {"size": "small", "value": "transformed", "tag": "a"}
    assert resources["a"]["protect"] is True
    assert resources["b"]["inputs"] == {"size": "small", "value": "two", "tag": "b"}


def test_transforms_of_a_component_reach_what_is_inside_of_it_and_nothing_else(bench):
    deployed(
        bench,
        """
        def through(step):
            def transform(args):
                path = args.props.get("path", "") + step
                return pulumi.ResourceTransformResult({**args.props, "path": path}, args.opts)
            return transform

        outside = Box("outside", opts=pulumi.ResourceOptions(transforms=[through("/outer")]))
        inside = Box("inside", opts=pulumi.ResourceOptions(parent=outside, transforms=[through("/inner")]))
        Thing("deep", opts=pulumi.ResourceOptions(parent=inside))
        Thing("shallow", opts=pulumi.ResourceOptions(parent=outside))
        Thing("beside")
    """,
    )
    paths = {name: record["inputs"].get("path") for name, record in bench.resources().items() if "inputs" in record}
    assert (paths["deep"], paths["shallow"], paths["beside"]) == ("/inner/outer", "/outer", None)


def test_a_secret_and_what_is_not_known_yet_are_outputs_to_a_transform(bench):
    deployed(
        bench,
        """
        def whole(args):
            props = {**args.props, "whole": pulumi.Output.concat(args.props["first"], ":", args.props["token"])}
            return pulumi.ResourceTransformResult(props, args.opts)

        a = Thing("a")
        opts = pulumi.ResourceOptions(transforms=[whole])
        Thing("b", first=a.address, token=pulumi.Output.secret("hunter22"), opts=opts)
    """,
    )
    (outputs,) = [thing for thing in bench.cloud.things.values() if thing["address"] == "address of b"]
    assert outputs["whole"] == "address of a:hunter22"
    assert "hunter22" not in bench.state.path.read_text()
    (a,) = [record["urn"] for name, record in bench.resources().items() if name == "a"]
    assert bench.resources()["b"]["dependencies"] == [a]


def test_transforms_of_invokes_are_run(bench):
    outcome = deployed(
        bench,
        """
        def louder(args):
            return pulumi.InvokeTransformResult({"value": args.args["value"] + "!"}, args.opts)

        pulumi.runtime.register_invoke_transform(louder)
        pulumi.export("echo", pulumi.runtime.invoke("memory:index:ask", {"value": "hello"}).value["echo"])
    """,
    )
    assert outcome.outputs == {"echo": "hello!"}


def test_the_older_transformations_are_run(bench):
    deployed(
        bench,
        """
        def tagged(args):
            return pulumi.ResourceTransformationResult({**args.props, "tag": "all"}, args.opts)
        pulumi.runtime.register_stack_transformation(tagged)
        Thing("a", "one")
    """,
    )
    assert bench.resources()["a"]["inputs"]["tag"] == "all"


def test_a_transform_that_raises_is_named(bench):
    bench.program("""
        def broken(args):
            raise ValueError("no such tag")
        Thing("a", opts=pulumi.ResourceOptions(transforms=[broken]))
    """)
    assert bench.engine().preview().error == "a transform of a failed: no such tag"


def test_a_resource_may_be_a_value(bench):
    deployed(
        bench,
        """
        a = Thing("a")
        box = Box("box")
        box.register_outputs({"thing": a})
        Thing("b", other=a)
    """,
    )
    (identity,) = [identity for identity in bench.cloud.things if "/a-" in identity]
    assert bench.resources()["box"]["outputs"]["thing"]["id"] == identity
    (b,) = [outputs for outputs in bench.cloud.things.values() if outputs["address"] == "address of b"]
    assert b["other"] == identity


def test_the_plan_shows_a_secret_as_such(bench):
    program = 'Thing("a", pulumi.Output.secret("{value}"))'
    deployed(bench, program.format(value="hunter22"))
    bench.program(program.format(value="hunter23"))
    bench.engine().preview()
    (planned,) = bench.of(Planned)
    assert [(step.old, step.new) for step in planned.steps if step.op == "update"] == [
        ({"value": "[secret]"}, {"value": "[secret]"})
    ]
