using WarpDrive.Driver;

namespace WarpDrive.OpenSsl;

/// <summary>The shape of <see cref="DeviceKey.TryPrivate"/>.</summary>
internal delegate AcceleratorError DeviceOperation(ReadOnlySpan<byte> input, Span<byte> output);
