"""Where names lead in the emulated AWS, and which way guests have to their models."""

import json

from sandbox.provider import Created
from tests.sandbox.clouds.aws.bench import ACCOUNT, Bench, policy


class TestNames:
    def test_lead_through_the_load_balancer_to_its_machines(self, bench: Bench) -> None:
        vpc, subnet = bench.network()
        machine = bench.machine("verifier-0", subnet)
        zone = bench.make("route53:Zone", "zone", name="test.internal", vpcs=[{"vpcId": vpc.id}])
        balancer = bench.make(
            "lb:LoadBalancer", "lb", name="lb", internal=True, loadBalancerType="network", subnets=[subnet.id]
        )
        group = bench.make("lb:TargetGroup", "group", name="group", port=8443, protocol="TCP", vpcId=vpc.id)
        bench.make("lb:TargetGroupAttachment", "target", targetGroupArn=group.id, targetId=machine.id)
        action = {"type": "forward", "targetGroupArn": group.id}
        bench.make("lb:Listener", "on", loadBalancerArn=balancer.id, port=8443, protocol="TCP", defaultActions=[action])
        alias = {
            "name": balancer.outputs["dnsName"],
            "zoneId": balancer.outputs["zoneId"],
            "evaluateTargetHealth": True,
        }
        bench.make("route53:Record", "record", zoneId=zone.id, name="verifier", type="A", aliases=[alias])
        found = bench.cloud.resolve("verifier.test.internal", vpc.id)
        assert found == [f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/{machine.id}/verifier-0"]

    def test_lead_to_the_machine_that_has_an_address(self, bench: Bench) -> None:
        vpc, subnet = bench.network()
        machine = bench.machine("one", subnet)
        zone = bench.make("route53:Zone", "zone", name="test.internal", vpcs=[{"vpcId": vpc.id}])
        records = [machine.outputs["privateIp"]]
        bench.make("route53:Record", "record", zoneId=zone.id, name="one", type="A", ttl=60, records=records)
        assert [each.rsplit("/", 1)[1] for each in bench.cloud.resolve("one.test.internal", vpc.id)] == ["one"]

    def test_lead_nowhere_from_another_network(self, bench: Bench) -> None:
        vpc, subnet = bench.network()
        machine = bench.machine("one", subnet)
        zone = bench.make("route53:Zone", "zone", name="test.internal", vpcs=[{"vpcId": vpc.id}])
        records = [machine.outputs["privateIp"]]
        bench.make("route53:Record", "record", zoneId=zone.id, name="one", type="A", ttl=60, records=records)
        other = bench.make("ec2:Vpc", "other", cidrBlock="10.41.0.0/16")
        assert bench.cloud.resolve("one.test.internal", other.id) == []


class TestTheWayToTheModels:
    HOST = "models.s3.eu-west-1.amazonaws.com"

    def _endpoint(self, bench: Bench, vpc: Created, **inputs: object) -> Created:
        service = "com.amazonaws.eu-west-1.s3"
        return bench.make("ec2:VpcEndpoint", f"s3-{len(inputs)}", vpcId=vpc.id, serviceName=service, **inputs)

    def test_is_absent_without_an_endpoint(self, bench: Bench) -> None:
        vpc, _ = bench.network()
        assert f"endpoint for com.amazonaws.eu-west-1.s3 is absent from {vpc.id}" in self._obstacle(bench, vpc)

    def test_is_an_interface_endpoint_whose_names_the_vpc_answers(self, bench: Bench) -> None:
        vpc, _ = bench.network()
        self._endpoint(bench, vpc, vpcEndpointType="Interface")
        assert "enable its private DNS" in self._obstacle(bench, vpc)
        self._endpoint(bench, vpc, vpcEndpointType="Interface", privateDnsEnabled=True)
        assert bench.cloud.object_obstacle(self.HOST, vpc.id) is None

    def test_is_the_same_endpoint_under_another_policy(self, bench: Bench) -> None:
        vpc, _ = bench.network()
        made = self._endpoint(bench, vpc, vpcEndpointType="Interface")
        inputs = {"vpcId": vpc.id, "serviceName": "com.amazonaws.eu-west-1.s3", "vpcEndpointType": "Interface"}
        ours = policy({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "*", "Resource": "*"})
        assert bench.diff("ec2:VpcEndpoint", made, inputs, {**inputs, "policy": ours}).replaces == ()
        bench.change("ec2:VpcEndpoint", "s3-1", made, **inputs, policy=ours)
        with bench.cloud.operation():
            found = bench.cloud.client("ec2", "eu-west-1").describe_vpc_endpoints(VpcEndpointIds=[made.id])
        assert json.loads(found["VpcEndpoints"][0]["PolicyDocument"]) == json.loads(ours)

    def test_is_a_gateway_endpoint_that_a_route_table_uses(self, bench: Bench) -> None:
        vpc, _ = bench.network()
        table = bench.make("ec2:RouteTable", "table", vpcId=vpc.id, routes=[])
        self._endpoint(bench, vpc, vpcEndpointType="Gateway", routeTableIds=[table.id])
        assert bench.cloud.object_obstacle(self.HOST, vpc.id) is None

    def test_is_at_s3_in_the_region_and_the_partition(self, bench: Bench) -> None:
        assert bench.cloud.object_url("eu-west-1") == f"https://{{account}}{self.HOST[6:]}/{{container}}/{{blob}}"
        assert ".s3.eusc-de-east-1.amazonaws.eu/" in bench.cloud.object_url("eusc-de-east-1")

    def _obstacle(self, bench: Bench, vpc: Created) -> str:
        return bench.cloud.object_obstacle(self.HOST, vpc.id) or ""
