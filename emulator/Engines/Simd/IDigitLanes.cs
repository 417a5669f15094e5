namespace WarpDrive.Engines.Simd;

/// <summary>
/// What is done to numbers (<see cref="Digits"/>) in all lanes of one width of vectors. Everything above is written once, for any width:
/// the runtime compiles it for each of them as if it were written for that one. Time and addresses depend on counts alone.
/// </summary>
internal unsafe interface IDigitLanes
{
    /// <summary>Numbers side by side: doubles of a vector. Digit i of all of them lies together, aligned to a vector.</summary>
    static abstract int Count { get; }

    /// <summary>Whether this processor and runtime have the instructions.</summary>
    static abstract bool IsSupported { get; }

    /// <summary>Runs a program of products; see <see cref="Avx512Kernel.Run"/>.</summary>
    static abstract void Run(
        DigitProgram program, double* left, double* right, double* rightAgain, double* addend, double* carry, double* result);

    /// <summary>
    /// Brings digits below 2^52 back to at most 2^46 + 2^5: each is rounded to a multiple of the base, which its neighbour above gets.
    /// The highest keeps all it has.
    /// </summary>
    static abstract void Carry(double* number, int count);

    /// <summary>result = 2 number; digits double and are not carried.</summary>
    static abstract void Double(double* number, double* result, int count);

    /// <summary>number -= other; digits are not carried.</summary>
    static abstract void Difference(double* number, double* other, int count);

    /// <summary>
    /// multiple = number * factor / other, rounded to an integer, of one digit, from the two highest digits of each and the reciprocal to
    /// 28 bits or more. No division, whose time may depend on the numbers.
    /// </summary>
    static abstract void EstimateMultiple(double* number, double factor, double* other, int count, double* multiple);

    /// <summary>
    /// number = number * factor - multiple * other; digits stay below 2^52 as long as factor and multiples are at most 2^5, and are not carried.
    /// </summary>
    /// <param name="number">Changed in place.</param>
    /// <param name="factor">The same for all lanes.</param>
    /// <param name="multiple">One digit.</param>
    /// <param name="other">A number.</param>
    /// <param name="count">Digits of both numbers.</param>
    static abstract void ScaleAndSubtract(double* number, double factor, double* multiple, double* other, int count);

    /// <summary>result = number with the lower and the upper half of the lanes exchanged.</summary>
    static abstract void ExchangeHalves(double* number, double* result, int count);

    /// <summary>carry = the sum of left[i] * right[count - 1 - i], rounded as it comes, divided by the base.</summary>
    static abstract void EstimateCarry(double* left, double* right, int count, double* carry);

    /// <summary>
    /// result = in each lane the entry of 16 that the byte of <paramref name="windows"/> for this lane (0 to 15) says. All are read, and
    /// one is kept by masks.
    /// </summary>
    /// <param name="entries">The first entry.</param>
    /// <param name="stride">Doubles from one entry to the next.</param>
    /// <param name="windows">A byte for each lane.</param>
    /// <param name="result">No entry.</param>
    /// <param name="count">Digits of an entry.</param>
    static abstract void Select(double* entries, int stride, byte* windows, double* result, int count);

    /// <summary>
    /// Replaces the digits by those between 0 and 2^47 - 1 of the same number, as integers of 64 bits, after adding
    /// <paramref name="modulus"/> in the lanes where the number is below zero. It must be at least 0 then.
    /// </summary>
    static abstract void Canonicalize(double* number, double* modulus, int count);
}
