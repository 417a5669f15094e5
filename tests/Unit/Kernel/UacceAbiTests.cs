using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using WarpDrive.Abi.Hpre;
using WarpDrive.Abi.Uacce;

namespace WarpProxy.Tests.Unit.Kernel;

/// <summary>Formats of UACCE and of the queue manager, against bytes and numbers written by hand.</summary>
public sealed class UacceAbiTests
{
    [Theory]
    [InlineData(UacceRequest.StartQueue, 'W', 0, 0, 0)]
    [InlineData(UacceRequest.PutQueue, 'W', 1, 0, 0)]
    [InlineData(UacceRequest.SetQueueContext, 'H', 10, 3, QueueContext.SizeInBytes)]
    [InlineData(UacceRequest.SetQueueInfo, 'H', 11, 3, QueueInfo.SizeInBytes)]
    [InlineData(UacceRequest.GetStaticShareDma, 'W', 3, 2, sizeof(ulong))]
    public void Request_has_type_number_direction_and_size_as_ioctl_h_packs_them(uint request, char type, uint number, uint direction, uint size) =>
        Assert.Equal((direction << 30) | (size << 16) | ((uint)type << 8) | number, request);

    [Fact]
    public void Queue_context_has_the_number_before_the_class()
    {
        var context = new QueueContext { Number = 0x0102, Class = 0x0304 };
        Assert.Equal(4, Unsafe.SizeOf<QueueContext>());
        Assert.Equal([2, 1, 4, 3], MemoryMarshal.AsBytes(new Span<QueueContext>(ref context)).ToArray());
    }

    [Fact]
    public void Queue_info_has_the_size_of_a_submission_and_two_depths_and_a_reserve()
    {
        var info = new QueueInfo { SubmissionBytes = 64, SubmissionDepth = 0x0400, CompletionDepth = 0x0200 };
        Assert.Equal(16, Unsafe.SizeOf<QueueInfo>());
        Assert.Equal([64, 0, 0, 0, 0, 4, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0], MemoryMarshal.AsBytes(new Span<QueueInfo>(ref info)).ToArray());
    }

    [Theory]
    [InlineData("hisi_qm_v1", 1, 0x340)]
    [InlineData("hisi_qm_v2", 2, 0x1000)]
    [InlineData("hisi_qm_v3", 3, 0x1000)]
    [InlineData("hisi_qm_v5", 5, 0x1000)]
    public void Api_names_the_version_and_the_place_of_the_doorbell(string text, int version, int offset)
    {
        Assert.True(QueueManagerApi.TryParse(text, out QueueManagerApi api));
        Assert.Equal((version, offset, text), (api.Version, api.DoorbellOffset, api.ToString()));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("hisi_qm_v")]
    [InlineData("hisi_qm_v0")]
    [InlineData("hisi_qm_v-1")]
    [InlineData("hisi_qm_v2_noiommu")]
    [InlineData("hisi_qm_v99999999999")]
    [InlineData("dsa_v1")]
    public void Other_api_is_refused(string? text) => Assert.False(QueueManagerApi.TryParse(text, out _));

    [Theory]
    [InlineData("hisi_qm_v1", 0x1234u, DoorbellCommand.Submission, 0x3ff, false, 0x0000_03ff_0000_1234ul)]
    [InlineData("hisi_qm_v1", 5u, DoorbellCommand.Completion, 7, true, 0x0001_0007_0001_0005ul)]
    [InlineData("hisi_qm_v2", 0x3ffu, DoorbellCommand.Submission, 0x3ff, false, 0x0000_03ff_0000_03fful)]
    [InlineData("hisi_qm_v2", 5u, DoorbellCommand.Completion, 7, false, 0x0000_0007_0000_1005ul)]
    [InlineData("hisi_qm_v3", 5u, DoorbellCommand.Completion, 7, true, 0x0001_0007_0000_1005ul)]
    public void Doorbell_word_of_each_version(string version, uint queue, DoorbellCommand command, ushort index, bool interrupt, ulong word)
    {
        Assert.True(QueueManagerApi.TryParse(version, out QueueManagerApi api));
        var doorbell = new Doorbell(queue, command, index, interrupt);
        Assert.Equal(word, api.Encode(doorbell));
        Assert.Equal(doorbell, api.Decode(word));
    }

    [Theory]
    [InlineData(4096, 86016)]
    [InlineData(65536, 196608)]
    public void Region_of_the_rings_is_as_long_as_the_kernel_with_such_pages_makes_it(int pageBytes, int sizeBytes)
    {
        Assert.Equal(sizeBytes, UserShareRegion.SizeInBytes(1024, pageBytes));
        Assert.Equal(sizeBytes - 8, UserShareRegion.StopReceivingOffset(sizeBytes));
        Assert.Equal(sizeBytes - 4, UserShareRegion.StopSendingOffset(sizeBytes));
    }

    [Fact]
    public void Region_with_pages_of_4_KiB_is_that_of_the_emulated_device()
    {
        Assert.Equal(DeviceUserShare.SizeInBytes, UserShareRegion.SizeInBytes(1024, 4096));
        Assert.Equal(DeviceUserShare.StopReceivingOffset, UserShareRegion.StopReceivingOffset(DeviceUserShare.SizeInBytes));
        Assert.Equal(DeviceUserShare.StopSendingOffset, UserShareRegion.StopSendingOffset(DeviceUserShare.SizeInBytes));
    }

    [Fact]
    public void Slice_of_static_share_has_its_length_in_the_twelve_low_bits() =>
        Assert.Equal(new StaticShareSlice(0x1234_5000, 0xabc), StaticShareSlice.Decode(new StaticShareSlice(0x1234_5000, 0xabc).Encode()));

    [Fact]
    public void Slice_word_by_hand() => Assert.Equal(0x1234_5abcul, new StaticShareSlice(0x1234_5000, 0xabc).Encode());
}
