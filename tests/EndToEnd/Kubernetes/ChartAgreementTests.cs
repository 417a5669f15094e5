using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using static WarpProxy.Tests.EndToEnd.Kubernetes.Manifests;

namespace WarpProxy.Tests.EndToEnd.Kubernetes;

/// <summary>What the objects of the chart say of each other is so, however it is used.</summary>
public sealed class ChartAgreementTests
{
    public static TheoryData<string> Ways => Chart.Ways;

    [KubernetesToolsTheory, MemberData(nameof(Ways))]
    public async Task Selectors_select_the_pods_that_they_mean_and_no_others(string way)
    {
        Manifests chart = await Chart.RenderAsync(way);
        JsonNode proxy = chart.Workload["spec"]!["template"]!["metadata"]!["labels"]!;
        Assert.True(Selects(chart.Workload["spec"]!["selector"]!["matchLabels"], proxy));
        Assert.Equal(2, chart.Of("Service").Count());
        Assert.All(chart.Of("Service"), service => Assert.True(Selects(service["spec"]!["selector"], proxy)));
        Assert.All(chart.Of("PodDisruptionBudget"), budget => Assert.True(Selects(budget["spec"]!["selector"]!["matchLabels"], proxy)));
        foreach (JsonNode? constraint in chart.Pod["topologySpreadConstraints"]?.AsArray() ?? [])
        {
            Assert.True(Selects(constraint!["labelSelector"]!["matchLabels"], proxy));
        }

        // Of the pods that are not the proxy's, none gets its clients.
        JsonNode[] others = [.. chart.PodTemplates.Select(pod => pod.Template["metadata"]!["labels"]!).Where(labels => Text(labels["app.kubernetes.io/component"]) != "proxy")];
        Assert.Equal(way is "node" or "production" ? 2 : 1, others.Length);     // that of helm test, and one more
        Assert.All(others, labels => Assert.All(chart.Of("Service"), service => Assert.False(Selects(service["spec"]!["selector"], labels))));
        foreach (JsonNode policy in chart.Of("NetworkPolicy"))
        {
            string component = Text(policy["spec"]!["podSelector"]!["matchLabels"]!["app.kubernetes.io/component"]);
            Assert.Single(chart.PodTemplates, pod => Selects(policy["spec"]!["podSelector"]!["matchLabels"], pod.Template["metadata"]!["labels"]));
            Assert.Equal(Text(policy["metadata"]!["name"]).EndsWith("-emulator", StringComparison.Ordinal) ? "emulator" : "proxy", component);
        }
    }

    [KubernetesToolsTheory, MemberData(nameof(Ways))]
    public async Task Ports_that_are_named_are_ports_of_the_proxy(string way)
    {
        Manifests chart = await Chart.RenderAsync(way);
        Dictionary<string, string> ports = chart.Proxy["ports"]!.AsArray().ToDictionary(port => Text(port!["name"]), port => Text(port!["containerPort"]));
        foreach (JsonNode service in chart.Of("Service"))
        {
            Assert.All(service["spec"]!["ports"]!.AsArray(), port => Assert.Contains(Text(port!["targetPort"]), ports.Keys));
        }

        foreach (string probe in (string[])["startupProbe", "livenessProbe", "readinessProbe"])
        {
            Assert.Equal("metrics", Text(chart.Proxy[probe]!["httpGet"]!["port"]));
            Assert.Equal(probe == "readinessProbe" ? "/readyz" : "/healthz", Text(chart.Proxy[probe]!["httpGet"]!["path"]));
        }

        foreach (JsonNode policy in chart.Of("NetworkPolicy"))
        {
            IEnumerable<JsonNode?> rules = policy["spec"]!["ingress"]!.AsArray();
            Assert.All(rules.SelectMany(rule => rule!["ports"]!.AsArray()), port => Assert.Contains(Text(port!["port"]), ports.Keys));
        }

        // The configuration listens where the pod says so, and the admin listener is nowhere else than on the pod's loopback.
        JsonNode configuration = JsonNode.Parse(chart.Configuration)!;
        Assert.Equal($"https://*:{ports["https"]}", Text(configuration["Listeners"]!["https"]!["Url"]));
        Assert.Equal($"http://*:{ports["http"]}", Text(configuration["Listeners"]!["http"]!["Url"]));
        Assert.Equal($"http://*:{ports["metrics"]}", Text(configuration["Server"]!["Metrics"]));
        Assert.Equal("http://127.0.0.1:9901", Text(configuration["Server"]!["Admin"]));
        Assert.DoesNotContain("9901", ports.Values);
        Assert.Equal(Text(chart.Single("Service", Text(chart.Workload["metadata"]!["name"]))["spec"]!["ports"]![0]!["port"]), Text(configuration["Listeners"]!["http"]!["RedirectToHttps"]));
    }

    [KubernetesToolsTheory, MemberData(nameof(Ways))]
    public async Task Volumes_that_are_mounted_are_there_and_hold_what_the_configuration_names(string way)
    {
        Manifests chart = await Chart.RenderAsync(way);
        foreach ((string name, JsonNode template) in chart.PodTemplates)
        {
            string[] volumes = [.. (template["spec"]!["volumes"]?.AsArray() ?? []).Select(volume => Text(volume!["name"]))];
            Assert.Equal(volumes.Order(), Containers(template["spec"]!).SelectMany(container => container["volumeMounts"]?.AsArray() ?? []).Select(mount => Text(mount!["name"])).Distinct().Order());
            Assert.True(volumes.Length == volumes.Distinct().Count(), name);
        }

        // Files of certificates are what the volume gives.
        JsonNode configuration = JsonNode.Parse(chart.Configuration)!;
        JsonNode projected = chart.Pod["volumes"]!.AsArray().Single(volume => Text(volume!["name"]) == "certs")!["projected"]!;
        string[] files = [.. projected["sources"]!.AsArray().SelectMany(source => source!["secret"]!["items"]!.AsArray()).Select(item => $"{MountPath(chart, "certs")}/{Text(item!["path"])}")];
        IEnumerable<JsonNode> certificates = configuration["Certificates"]!.AsObject().Select(certificate => certificate.Value!);
        Assert.Equal(files.Order(), certificates.SelectMany(certificate => new[] { Text(certificate["File"]), Text(certificate["KeyFile"]) }).Order());
        Assert.Equal(
            configuration["Certificates"]!.AsObject().Select(certificate => certificate.Key).Order(),
            configuration["Listeners"]!["https"]!["Certificates"]!.AsArray().Select(Text).Order());
        if (way == "production")
        {
            Assert.Equal(MountPath(chart, "tickets"), Text(configuration["Tickets"]!["Directory"]));
            string secret = Text(chart.Pod["volumes"]!.AsArray().Single(volume => Text(volume!["name"]) == "tickets")!["secret"]!["secretName"]);
            Assert.Equal(3, chart.Single("Secret", secret)["data"]!.AsObject().Count);
        }

        Assert.Equal($"{MountPath(chart, "config")}/proxy.json", Text(chart.Proxy["args"]!.AsArray()[^1]));
        Assert.Equal(Text(chart.ConfigurationMap["metadata"]!["name"]), Text(chart.Pod["volumes"]!.AsArray().Single(volume => Text(volume!["name"]) == "config")!["configMap"]!["name"]));
    }

    [KubernetesToolsTheory, MemberData(nameof(Ways))]
    public async Task Device_is_where_the_configuration_says(string way)
    {
        Manifests chart = await Chart.RenderAsync(way);
        string device = Text(JsonNode.Parse(chart.Configuration)!["Offload"]!["Devices"]!.AsArray().Single());
        JsonNode? warp = chart.Pod["volumes"]!.AsArray().SingleOrDefault(volume => Text(volume!["name"]) == "warp");
        switch (way)
        {
            case "sidecar" or "production":
                JsonNode sidecar = chart.Pod["initContainers"]!.AsArray().Single()!;
                Assert.Equal("Always", Text(sidecar["restartPolicy"]));
                Assert.NotNull(warp!["emptyDir"]);
                Assert.Equal($"emulator:{SocketOf(sidecar)}", device);
                break;
            case "node":
                JsonNode pod = chart.Single("DaemonSet", $"{Chart.Release}-warpproxy-emulator")["spec"]!["template"]!["spec"]!;
                Assert.Equal($"emulator:{SocketOf(pod["containers"]!.AsArray().Single()!)}", device);
                string folder = Text(warp!["hostPath"]!["path"]);
                Assert.Equal($"/run/warpproxy/{Chart.Namespace}_{Chart.Release}-warpproxy", folder);
                Assert.Equal(folder, Text(pod["volumes"]!.AsArray().Single(volume => Text(volume!["name"]) == "warp")!["hostPath"]!["path"]));
                break;
            case "hardware":
                Assert.Equal("uacce:auto", device);
                Assert.Equal("1", Text(chart.Proxy["resources"]!["limits"]!["example.com/hpre"]));
                break;
            default:
                Assert.Equal("embedded:", device);
                break;
        }

        // The socket's folder is the proxy's to read, the emulator's to write.
        if (warp is not null)
        {
            Assert.Equal(Path.GetDirectoryName(device["emulator:".Length..]), MountPath(chart, "warp"));
            Assert.Equal("true", Text(chart.Proxy["volumeMounts"]!.AsArray().Single(mount => Text(mount!["name"]) == "warp")!["readOnly"]));
        }
    }

    [KubernetesToolsTheory, MemberData(nameof(Ways))]
    public async Task Pod_has_time_to_end_in_order(string way)
    {
        Manifests chart = await Chart.RenderAsync(way);
        int sleep = int.Parse(Text(chart.Proxy["lifecycle"]!["preStop"]!["sleep"]!["seconds"]), CultureInfo.InvariantCulture);
        var drain = TimeSpan.Parse(Text(JsonNode.Parse(chart.Configuration)!["Shutdown"]!["Drain"]), CultureInfo.InvariantCulture);
        int grace = int.Parse(Text(chart.Pod["terminationGracePeriodSeconds"]), CultureInfo.InvariantCulture);
        Assert.True(grace >= sleep + drain.TotalSeconds + 5, $"{grace} s for {sleep} s and {drain}");
        Assert.Equal(way == "production" ? 60 : 30, drain.TotalSeconds);
        Assert.Equal(way == "production" ? 60 : 10, sleep);
    }

    [KubernetesToolsFact]
    public async Task Pod_serves_on_until_a_load_balancer_has_noticed_that_it_ends()
    {
        Manifests chart = await Chart.RenderAsync("embedded", "service.type=\"LoadBalancer\"");
        Assert.Equal("40", Text(chart.Proxy["lifecycle"]!["preStop"]!["sleep"]!["seconds"]));
        Assert.Equal("80", Text(chart.Pod["terminationGracePeriodSeconds"]));
        Manifests none = await Chart.RenderAsync("embedded", "shutdown.preStopSeconds=0");
        Assert.Null(none.Proxy["lifecycle"]);
        Assert.Equal("40", Text(none.Pod["terminationGracePeriodSeconds"]));
    }

    [KubernetesToolsTheory]
    [InlineData("embedded", "1", "0")]
    [InlineData("sidecar", "1", "0")]
    [InlineData("node", "1", "0")]
    [InlineData("none", "1", "0")]
    [InlineData("hardware", "0", "1")]
    public async Task Node_of_a_DaemonSet_is_never_without_a_proxy_but_where_two_cannot_hold_its_device(string mode, string surge, string unavailable)
    {
        Manifests chart = await Chart.RenderAsync("", "kind=\"DaemonSet\"", $"device.mode=\"{mode}\"", "device.hardware.resource=\"example.com/hpre\"");
        JsonNode update = chart.Workload["spec"]!["updateStrategy"]!["rollingUpdate"]!;
        Assert.Equal((surge, unavailable), (Text(update["maxSurge"]), Text(update["maxUnavailable"])));
    }

    [KubernetesToolsFact]
    public async Task Scaling_and_monitoring_are_about_the_proxy()
    {
        Manifests chart = await Chart.RenderAsync("production");
        JsonNode autoscaler = chart.Of("HorizontalPodAutoscaler").Single()["spec"]!;
        Assert.Equal(Text(chart.Workload["metadata"]!["name"]), Text(autoscaler["scaleTargetRef"]!["name"]));
        Assert.Equal(Text(chart.Workload["kind"]), Text(autoscaler["scaleTargetRef"]!["kind"]));
        Assert.Equal(Text(chart.Workload["apiVersion"]), Text(autoscaler["scaleTargetRef"]!["apiVersion"]));
        Assert.Null(chart.Workload["spec"]!["replicas"]);

        JsonNode monitor = chart.Of("ServiceMonitor").Single()["spec"]!;
        JsonNode service = Assert.Single(chart.Of("Service"), service => Selects(monitor["selector"]!["matchLabels"], service["metadata"]!["labels"]));
        JsonNode endpoint = monitor["endpoints"]!.AsArray().Single()!;
        Assert.Equal(Text(service["spec"]!["ports"]!.AsArray().Single()!["name"]), Text(endpoint["port"]));

        // helm test asks the same port.
        string asks = Text(chart.Of("Pod").Single()["spec"]!["containers"]![0]!["args"]![1]);
        Assert.Equal($"http://{Text(service["metadata"]!["name"])}.{Chart.Namespace}.svc:{Text(service["spec"]!["ports"]![0]!["port"])}/readyz", asks);

        JsonNode scrapers = chart.Single("NetworkPolicy", $"{Chart.Release}-warpproxy")["spec"]!["ingress"]!.AsArray().Single(rule => Text(rule!["ports"]![0]!["port"]) == "metrics")!["from"]!;
        Assert.Single(scrapers.AsArray(), peer => peer!["podSelector"] is { } pods && Selects(pods["matchLabels"], chart.Of("Pod").Single()["metadata"]!["labels"]));

        // Alert rules ask for a job: the one that the monitor names.
        string job = Text(endpoint["relabelings"]!.AsArray().Single(one => Text(one!["targetLabel"]) == "job")!["replacement"]);
        string[] asked = [.. Regex.Matches(chart.Of("PrometheusRule").Single().ToJsonString(), @"job=\\u0022(\w+)\\u0022").Select(match => match.Groups[1].Value).Distinct()];
        Assert.Equal([job], asked);

        // A DaemonSet has neither.
        Manifests daemons = await Chart.RenderAsync("node");
        Assert.Empty(daemons.Of("HorizontalPodAutoscaler").Concat(daemons.Of("PodDisruptionBudget")));
    }

    [KubernetesToolsFact]
    public async Task Certificates_are_asked_for_each_Secret_with_its_algorithm()
    {
        Manifests chart = await Chart.RenderAsync("production");
        Assert.Equal(
            ["bank-tls bank.example RSA", "news-tls *.news.example RSA", "shop-ecdsa-tls shop.example ECDSA", "shop-tls shop.example RSA"],
            chart.Of("Certificate").Select(certificate => certificate["spec"]!).Select(spec =>
                $"{Text(spec["secretName"])} {Text(spec["dnsNames"]!.AsArray().Single())} {Text(spec["privateKey"]!["algorithm"])}").Order());
    }

    [KubernetesToolsFact]
    public async Task Pods_restart_for_settings_that_are_read_at_the_start_and_for_no_others()
    {
        string before = await ChecksumAsync();
        Assert.Equal(before, await ChecksumAsync("reverseProxy.Clusters.web.Destinations.one.Address=\"http://other/\"", "certificates[0].path=\"software\"", "config.Tls={\"HandshakeTimeout\":\"00:00:05\"}"));
        Assert.NotEqual(before, await ChecksumAsync("config.Tls={\"Lanes\":8}"));
        Assert.NotEqual(before, await ChecksumAsync("metrics.port=9903"));
        Assert.NotEqual(before, await ChecksumAsync("telemetry.endpoint=\"http://collector:4317\""));

        static async Task<string> ChecksumAsync(params string[] changes)
        {
            Manifests chart = await Chart.RenderAsync("embedded", changes);
            return Text(chart.Workload["spec"]!["template"]!["metadata"]!["annotations"]!["checksum/start-settings"]);
        }
    }

    [KubernetesToolsFact]
    public async Task Pods_that_run_never_read_a_configuration_that_names_ports_and_files_which_they_have_not()
    {
        string before = await NameAsync();
        Assert.Matches($"^{Chart.Release}-warpproxy-[0-9a-f]{{8}}$", before);

        // What a proxy takes into use while it serves stays where it is.
        Assert.Equal(before, await NameAsync(
            "reverseProxy.Clusters.web.Destinations.one.Address=\"http://other/\"", "certificates[0].path=\"software\"", "device.path=\"software\"", "limits.maxConnections=100", "config.Tls={\"HandshakeTimeout\":\"00:00:05\"}"));
        string[] changes =
        [
            "https.port=8444", "http.port=8081", "http.enabled=false", "metrics.port=9903", "device.mode=\"sidecar\"", "device.mode=\"node\"", "certificates[0].secretName=\"other-tls\"",
            "tickets.secretName=\"tickets\"", "extraVolumes=[{\"name\":\"more\",\"emptyDir\":{}}]",
        ];
        string[] names = await Task.WhenAll(changes.Select(change => NameAsync(change)));
        Assert.Equal(changes.Length + 1, names.Append(before).Distinct().Count());

        static async Task<string> NameAsync(params string[] changes) => Text((await Chart.RenderAsync("embedded", changes)).ConfigurationMap["metadata"]!["name"]);
    }

    [KubernetesToolsFact]
    public async Task Connections_are_limited_by_what_the_memory_of_the_pod_holds()
    {
        Assert.Equal("20000", await LimitAsync());
        Assert.Equal("100", await LimitAsync("limits.maxConnections=100"));
        Assert.Equal("7", await LimitAsync("config.Limits={\"MaxConnections\":7}"));
        Assert.Equal("", await LimitAsync("limits.maxConnections=null"));

        static async Task<string> LimitAsync(params string[] changes) => Text(JsonNode.Parse((await Chart.RenderAsync("embedded", changes)).Configuration)!["Limits"]?["MaxConnections"]);
    }

    [KubernetesToolsTheory, MemberData(nameof(Ways))]
    public async Task No_container_has_more_rights_than_it_needs(string way)
    {
        Manifests chart = await Chart.RenderAsync(way);
        foreach ((string name, JsonNode template) in chart.PodTemplates)
        {
            JsonNode pod = template["spec"]!;
            Assert.Equal(("true", "10001", "10001"), (Text(pod["securityContext"]!["runAsNonRoot"]), Text(pod["securityContext"]!["runAsUser"]), Text(pod["securityContext"]!["fsGroup"])));
            Assert.Equal("RuntimeDefault", Text(pod["securityContext"]!["seccompProfile"]!["type"]));

            // Only what renews ticket keys asks the API.
            bool asksTheApi = name.StartsWith("CronJob", StringComparison.Ordinal);
            Assert.Equal(asksTheApi ? "true" : "false", Text(pod["automountServiceAccountToken"]));
            Assert.Equal("false", Text(pod["enableServiceLinks"]));
            Assert.Null(pod["hostNetwork"] ?? pod["hostPID"] ?? pod["hostIPC"]);
            foreach (JsonNode container in Containers(pod))
            {
                JsonNode security = container["securityContext"]!;
                Assert.Equal(("false", "true"), (Text(security["allowPrivilegeEscalation"]), Text(security["readOnlyRootFilesystem"])));
                Assert.Null(security["privileged"]);
                Assert.Equal(["ALL"], security["capabilities"]!["drop"]!.AsArray().Select(Text));
                Assert.All((string[])["cpu", "memory"], resource => Assert.NotEmpty(Text(container["resources"]!["limits"]![resource])));
                if (Text(container["name"]) == "prepare")
                {
                    // The one exception: a folder on the node becomes the emulator's.
                    Assert.Equal("node", way);
                    Assert.Equal(["CHOWN"], security["capabilities"]!["add"]!.AsArray().Select(Text));
                    Assert.Equal(["chown", "10001:10001", "/run/warp"], container["command"]!.AsArray().Select(Text));
                }
                else
                {
                    Assert.Null(security["capabilities"]!["add"]);
                    Assert.Null(security["runAsUser"] ?? security["runAsNonRoot"]);
                }
            }
        }

        Assert.All(chart.Of("ServiceAccount"), account => Assert.Equal("false", Text(account["automountServiceAccountToken"])));
        foreach (JsonNode? rule in chart.Of("Role").SelectMany(role => role["rules"]!.AsArray()))
        {
            Assert.Equal(["get", "patch"], rule!["verbs"]!.AsArray().Select(Text));
            Assert.Equal([$"{Chart.Release}-warpproxy-tickets"], rule["resourceNames"]!.AsArray().Select(Text));
        }
    }

    private static string MountPath(Manifests chart, string volume) => Text(chart.Proxy["volumeMounts"]!.AsArray().Single(mount => Text(mount!["name"]) == volume)!["mountPath"]);

    private static string SocketOf(JsonNode emulator)
    {
        string[] arguments = [.. emulator["args"]!.AsArray().Select(Text)];
        string socket = arguments[Array.IndexOf(arguments, "--socket") + 1];
        Assert.Equal(socket, Text(emulator["startupProbe"]!["exec"]!["command"]!.AsArray()[^1]));
        return socket;
    }
}
