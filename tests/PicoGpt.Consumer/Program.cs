using PicoGpt;
using PicoGpt.Inference;
using PicoGpt.Store;

// A program that uses the engine as anybody's would.
using Gpt2Model model = ModelStore.Default.Open(ModelCatalog.Resolve("3M"));
Console.WriteLine(args[0] + string.Concat(new TextGeneration(model, args[0]).Stream()));
