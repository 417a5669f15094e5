using WarpDrive.Linux;

namespace WarpDrive.Driver.VfioUser;

/// <summary>A reply's payload and the descriptors that came with it. Disposing closes those that nobody took.</summary>
internal sealed class VfioUserReply : IDisposable
{
    private readonly List<FileDescriptor> _descriptors;

    /// <summary>Takes ownership of the descriptors.</summary>
    public VfioUserReply(byte[] payload, List<FileDescriptor> descriptors)
    {
        Payload = payload;
        _descriptors = descriptors;
    }

    /// <summary>What followed the header.</summary>
    public byte[] Payload { get; }

    /// <summary>How many descriptors came.</summary>
    public int DescriptorCount => _descriptors.Count;

    /// <summary>A descriptor, which stays the reply's.</summary>
    public FileDescriptor this[int index] => _descriptors[index];

    /// <summary>Lets a descriptor live on; the caller owns it now.</summary>
    public void Release(FileDescriptor descriptor) => _descriptors.Remove(descriptor);

    /// <inheritdoc/>
    public void Dispose() => ForeignDescriptors.Close(_descriptors);
}
