using WarpDrive.Abi.Uacce;
using WarpDrive.Driver.Devices;

namespace WarpProxy.Tests.Unit.Kernel;

/// <summary>What is found in /sys/class/uacce, what of it can be used, and in which order.</summary>
public sealed class UacceDiscoveryTests : IDisposable
{
    private readonly FakeKernel _kernel = new();
    private readonly UacceDiscovery _discovery;

    public UacceDiscoveryTests() => _discovery = new UacceDiscovery(_kernel.Tree);

    public void Dispose() => _kernel.Dispose();

    [Fact]
    public void Kernel_without_the_class_has_no_devices() => Assert.Empty(_discovery.List());

    [Fact]
    public void Device_is_read_as_it_is()
    {
        Write("hisi_hpre-3", ("device/numa_node", "1"), ("isolate", "0"));
        UacceListing device = Assert.Single(_discovery.List());
        Assert.Equal(("hisi_hpre-3", "hisi_qm_v2", 2), (device.Name, device.ApiName, device.Api.Version));
        Assert.Equal((UacceFlags.SharedAddresses, 1024, 8192, 86016), (device.Flags, device.AvailableInstances, device.MmioBytes, device.DusBytes));
        Assert.Equal(["rsa", "dh", "ecdh"], device.Algorithms);
        Assert.Equal((false, 1), (device.IsIsolated, device.NumaNode));
        Assert.True(device.IsUsable);
    }

    [Fact]
    public void Kernel_that_does_not_isolate_and_knows_no_nodes_has_no_such_files()
    {
        Write("hisi_hpre-0");
        UacceListing device = Assert.Single(_discovery.List());
        Assert.Null(device.IsIsolated);
        Assert.Equal(-1, device.NumaNode);
        Assert.True(device.IsUsable);
    }

    [Theory]
    [InlineData("api", "hisi_qm_v0", "Device d has the API 'hisi_qm_v0'; hisi_qm_v1 or a later version is needed.")]
    [InlineData("api", null, "Device d has the API '(none)'; hisi_qm_v1 or a later version is needed.")]
    [InlineData("algorithms", "zlib\ngzip", "Device d computes zlib gzip; rsa is needed.")]
    [InlineData("algorithms", "rsa2", "Device d computes rsa2; rsa is needed.")]
    [InlineData("algorithms", null, "Device d computes nothing; rsa is needed.")]
    [InlineData("region_mmio_size", "4096", "Device d has 4096 bytes of doorbells (region_mmio_size); at least 4104 are needed.")]
    [InlineData("region_mmio_size", null, "Device d has 0 bytes of doorbells (region_mmio_size); at least 4104 are needed.")]
    [InlineData("region_dus_size", "81920", "Device d has 81920 bytes of rings (region_dus_size); at least 81928 are needed.")]
    [InlineData("region_dus_size", "many", "Device d has 0 bytes of rings (region_dus_size); at least 81928 are needed.")]
    public void Device_of_another_kind_says_why_in_one_sentence_and_can_never_be_used(string attribute, string? value, string sentence)
    {
        Write("d", (attribute, value));
        UacceListing device = Assert.Single(_discovery.List());
        Assert.Equal(sentence, device.Misfit);
        Assert.Equal(sentence, device.Obstacle);
        Assert.False(device.IsUsable);
    }

    [Theory]
    [InlineData("isolate", "1", "Device d is isolated: the kernel met too many hardware errors (isolate is 1).")]
    [InlineData("available_instances", "0", "Device d has no free queue (available_instances is 0).")]
    public void Device_that_cannot_be_used_now_says_why_and_is_no_misfit(string attribute, string value, string sentence)
    {
        Write("d", (attribute, value));
        UacceListing device = Assert.Single(_discovery.List());
        Assert.Null(device.Misfit);
        Assert.Equal(sentence, device.Obstacle);
    }

    [Fact]
    public void Version_1_needs_one_page_of_doorbells()
    {
        Write("d", ("api", "hisi_qm_v1"), ("region_mmio_size", "4096"));
        Assert.True(Assert.Single(_discovery.List()).IsUsable);
    }

    [Fact]
    public void Near_devices_come_before_far_ones_whatever_is_free()
    {
        WriteNode(0, "0-3", "10 21");
        WriteNode(1, "4-7", "21 10");
        Write("near", ("device/numa_node", "1"), ("available_instances", "1"));
        Write("far", ("device/numa_node", "0"));
        Assert.Equal(["near", "far"], Rank(5, 6));
        Assert.Equal(["far", "near"], Rank(0));
    }

    [Fact]
    public void Of_devices_equally_near_the_one_with_more_free_queues_comes_first()
    {
        WriteNode(0, "0-3", "10 21");
        WriteNode(1, "4-7", "21 10");
        Write("a", ("device/numa_node", "0"), ("available_instances", "3"));
        Write("b", ("device/numa_node", "1"), ("available_instances", "4"));
        Assert.Equal(["b", "a"], Rank(0, 4));
        Assert.Equal(["a", "b"], Rank(0, 1, 4));
    }

    [Fact]
    public void Device_without_a_node_is_near()
    {
        WriteNode(0, "0", "10");
        Write("a", ("device/numa_node", "-1"), ("available_instances", "9"));
        Write("b", ("device/numa_node", "0"), ("available_instances", "8"));
        Assert.Equal(["a", "b"], Rank(0));
    }

    [Fact]
    public void Isolated_full_and_other_devices_are_not_among_the_ranked()
    {
        Write("a", ("isolate", "1"));
        Write("b", ("available_instances", "0"));
        Write("c", ("algorithms", "zlib"));
        Write("d");
        Assert.Equal(["d"], Rank(0));
    }

    private string[] Rank(params int[] processors) => [.. _discovery.Rank(processors).Select(static device => device.Name)];

    private void WriteNode(int node, string processors, string distances)
    {
        _kernel.WriteSys($"devices/system/node/node{node}/cpulist", processors);
        _kernel.WriteSys($"devices/system/node/node{node}/distance", distances);
    }

    private void Write(string name, params (string Attribute, string? Value)[] others)
    {
        Dictionary<string, string?> attributes = new()
        {
            ["api"] = "hisi_qm_v2",
            ["flags"] = "1",
            ["algorithms"] = "rsa\ndh\necdh",
            ["available_instances"] = "1024",
            ["region_mmio_size"] = "8192",
            ["region_dus_size"] = "86016",
        };
        foreach ((string attribute, string? value) in others)
        {
            attributes[attribute] = value;
        }

        foreach ((string attribute, string? value) in attributes)
        {
            if (value is not null)
            {
                _kernel.WriteSys($"class/uacce/{name}/{attribute}", value);
            }
        }
    }
}
