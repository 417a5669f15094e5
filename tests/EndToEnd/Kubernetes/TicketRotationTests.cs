using System.Text.Json.Nodes;
using WarpProxy.Tests.EndToEnd.Harness;
using Xunit.Abstractions;
using static WarpProxy.Tests.EndToEnd.Kubernetes.Manifests;

namespace WarpProxy.Tests.EndToEnd.Kubernetes;

/// <summary>The chart's CronJob: its command is run as it stands, with the real kubectl, against an API that has the chart's Secret.</summary>
public sealed class TicketRotationTests(ITestOutputHelper output) : IAsyncDisposable
{
    private readonly Scenario _scenario = new(output);

    public ValueTask DisposeAsync() => _scenario.DisposeAsync();

    [KubernetesToolsFact]
    public async Task Rotation_adds_a_key_at_the_end_and_removes_the_oldest()
    {
        Manifests chart = await Chart.RenderAsync("production");
        JsonNode secret = chart.Single("Secret", $"{Chart.Release}-warpproxy-tickets").DeepClone();     // others read what was rendered
        secret["metadata"]!["namespace"] = Chart.Namespace;
        await using FakeApiServer api = await FakeApiServer.StartAsync(secret);
        string[] first = [.. api.Data.Keys];
        Assert.Equal(3, first.Length);

        await RotateAsync(chart, api, "2026-11-21-1200");
        Assert.Equal([first[1], first[2], "2026-11-21-1200.key"], api.Data.Keys);
        string added = api.Data["2026-11-21-1200.key"];

        // What was the next key encrypts now; the new one is the next.
        await RotateAsync(chart, api, "2026-11-22-0000");
        Assert.Equal([first[2], "2026-11-21-1200.key", "2026-11-22-0000.key"], api.Data.Keys);
        Assert.Equal(added, api.Data["2026-11-21-1200.key"]);

        // The same again, as when a job is repeated, changes nothing.
        SortedDictionary<string, string> before = api.Data;
        await RotateAsync(chart, api, "2026-11-22-0000");
        Assert.Equal(before, api.Data);
        await RotateAsync(chart, api, "2026-11-22-1200");
        Assert.DoesNotContain(api.Data.Keys, name => first.Contains(name));

        // It asked for nothing that its Role has not.
        string path = $"/api/v1/namespaces/{Chart.Namespace}/secrets/{Chart.Release}-warpproxy-tickets";
        Assert.Equal([$"GET {path}", $"PATCH {path}"], api.Requests);

        // The proxy takes them as they are mounted.
        Directory.CreateDirectory(_scenario.File("tickets"));
        foreach ((string name, string key) in api.Data)
        {
            Assert.Equal(80, Convert.FromBase64String(key).Length);
            await File.WriteAllBytesAsync(Path.Combine(_scenario.File("tickets"), name), Convert.FromBase64String(key));
        }

        Assert.Equal(3, api.Data.Values.Distinct().Count());
        string file = _scenario.Write("tickets.json", $$"""{ "Tickets": { "Directory": "{{_scenario.File("tickets")}}" } }""");
        RunningProcess check = _scenario.Start(Executable.Proxy, ["check", "--config", file]);
        Assert.Equal(0, await check.WaitForExitAsync(TimeSpan.FromSeconds(60)));
    }

    [KubernetesToolsFact]
    public async Task Rotation_fails_where_there_is_no_such_Secret()
    {
        Manifests chart = await Chart.RenderAsync("production");
        JsonNode secret = chart.Single("Secret", $"{Chart.Release}-warpproxy-tickets").DeepClone();
        secret["metadata"]!["name"] = "another";
        secret["metadata"]!["namespace"] = Chart.Namespace;
        await using FakeApiServer api = await FakeApiServer.StartAsync(secret);
        RunningProcess rotation = Start(chart, api, "2026-11-21-1200");
        Assert.NotEqual(0, await rotation.WaitForExitAsync(TimeSpan.FromMinutes(1)));
        Assert.Equal(3, api.Data.Count);
    }

    [KubernetesToolsFact]
    public async Task Rotation_of_keys_whose_names_come_after_a_time_fails_and_changes_nothing()
    {
        Manifests chart = await Chart.RenderAsync("production");
        JsonNode secret = chart.Single("Secret", $"{Chart.Release}-warpproxy-tickets").DeepClone();
        secret["metadata"]!["namespace"] = Chart.Namespace;
        secret["data"] = new JsonObject(Enumerable.Range(1, 3).Select(number => KeyValuePair.Create($"key{number}", (JsonNode?)Convert.ToBase64String(new byte[80]))));
        await using FakeApiServer api = await FakeApiServer.StartAsync(secret);
        RunningProcess rotation = Start(chart, api, "2026-11-21-1200");
        Assert.Equal(1, await rotation.WaitForExitAsync(TimeSpan.FromMinutes(1)));
        Assert.Contains(
            $"{Chart.Release}-warpproxy-tickets has key3, which comes after 2026-11-21-1200.key: the last key must be the newest, so name keys by their time, such as 2026-01-31-0000.key.",
            rotation.Errors);
        Assert.Equal(["key1", "key2", "key3"], api.Data.Keys);
    }

    private async Task RotateAsync(Manifests chart, FakeApiServer api, string now)
    {
        RunningProcess rotation = Start(chart, api, now);
        Assert.Equal(0, await rotation.WaitForExitAsync(TimeSpan.FromMinutes(1)));
    }

    /// <param name="chart">Has the CronJob.</param>
    /// <param name="api">Has the Secret.</param>
    /// <param name="now">What date(1) says.</param>
    private RunningProcess Start(Manifests chart, FakeApiServer api, string now)
    {
        JsonNode container = chart.Of("CronJob").Single()["spec"]!["jobTemplate"]!["spec"]!["template"]!["spec"]!["containers"]!.AsArray().Single()!;
        string[] command = [.. container["command"]!.AsArray().Concat(container["args"]!.AsArray()).Select(Text)];
        Dictionary<string, string> environment = container["env"]!.AsArray().ToDictionary(one => Text(one!["name"]), one => Text(one!["value"]));
        string tools = Directory.CreateDirectory(_scenario.File("tools")).FullName;
        string date = _scenario.Write("tools/date", $"#!/bin/sh\n[ \"$*\" = \"-u +%Y-%m-%d-%H%M\" ] && echo {now}\n");
        File.SetUnixFileMode(date, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        environment["HOME"] = _scenario.File("home");
        environment["TMPDIR"] = tools;
        environment["KUBECONFIG"] = api.WriteKubeconfig(_scenario.File("kubeconfig"));
        environment["PATH"] = $"{tools}:{Path.GetDirectoryName(KubernetesTools.Kubectl)}:/usr/bin:/bin";
        return _scenario.Start(command[0], command[1..], environment);
    }
}
