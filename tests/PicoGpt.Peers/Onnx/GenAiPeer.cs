using System.Diagnostics;
using Microsoft.ML.OnnxRuntimeGenAI;
using PicoGpt.Architecture;

namespace PicoGpt.Peers.Onnx;

/// <summary>ONNX Runtime GenAI, which runs the same graph and chooses the tokens itself.</summary>
internal sealed class GenAiPeer : IPeer
{
    private readonly Model _model;
    private readonly Gpt2HyperParameters _shape;

    /// <param name="folder">The folder of the graph and of its configuration.</param>
    /// <param name="shape">The shape of the model.</param>
    public GenAiPeer(string folder, Gpt2HyperParameters shape) => (_model, _shape) = (new Model(folder), shape);

    public ReadOnlySpan<float> Read(int[] ids)
    {
        using Generator generator = NewGenerator(texts: 1, _shape.NCtx);
        generator.AppendTokens(ids);
        using Tensor logits = generator.GetOutput("logits");
        return logits.GetData<float>().ToArray();
    }

    public int[] Continue(int[] prompt, int count, Stopwatch clock)
    {
        using Generator generator = NewGenerator(texts: 1, Math.Min(_shape.NCtx, prompt.Length + count + 1));
        generator.AppendTokens(prompt);
        generator.GenerateNextToken();
        clock.Start();
        for (int i = 0; i < count; i++) generator.GenerateNextToken();
        clock.Stop();
        return generator.GetSequence(0)[prompt.Length..].ToArray();
    }

    public int[][] ContinueAll(int[][] prompts, int count, Stopwatch clock)
    {
        int length = prompts[0].Length;
        using Generator generator = NewGenerator(prompts.Length, length + count);
        clock.Start();
        generator.AppendTokens([.. prompts.SelectMany(ids => ids)]);
        for (int i = 0; i < count; i++) generator.GenerateNextToken();
        clock.Stop();
        return [.. Enumerable.Range(0, prompts.Length).Select(text => generator.GetSequence((ulong)text)[length..].ToArray())];
    }

    public void Dispose() => _model.Dispose();

    private Generator NewGenerator(int texts, int length)
    {
        using var parameters = new GeneratorParams(_model);
        parameters.SetSearchOption("batch_size", texts);
        parameters.SetSearchOption("max_length", length);
        parameters.SetSearchOption("min_length", length); // the end of the text is not chosen
        return new Generator(_model, parameters);
    }
}
