// Properties of `dma::axi_reader::AxiReader`, bounded: for so many cycles from reset as the model checker looks ahead.
// `cargo xtask formal` puts this text at the end of module `axi_reader`; only its ports are used.
//
// One range is registered, anywhere; the clients keep to `read_bus`, with requests of up to 300 bytes; memory answers
// only what it was asked for. Everything else is free. Client 0 is followed word by word.

(* anyconst *) wire [31:0] base;
(* anyconst *) wire [31:0] limit;

reg started = 0;
always @(posedge cr$clock) started <= 1;

reg [3:0] asked = 0;
reg [31:0] addr_was [0:3];
reg [15:0] length_was [0:3];
reg [10:0] due = 0;
reg [11:0] words_out = 0;
reg ar_held = 0;
reg [39:0] ar_was;
reg taken = 0;

wire [16:0] reach = {1'b0, request0$length} + {15'b0, request0$addr[1:0]} + 3;
wire grant0 = request0$valid && request0$ready;
wire ar = arvalid && arready;
wire r = rvalid && rready;

always @(*) begin
  assume (cr$reset == !started);
  assume (ranges$base0 == base && ranges$limit0 == limit);
  assume (ranges$base1 == 0 && ranges$base2 == 0 && ranges$base3 == 0);
  assume (ranges$limit1 == 0 && ranges$limit2 == 0 && ranges$limit3 == 0);
  assume (request0$length >= 1 && request0$length <= 300);
  assume (request1$length >= 1 && request1$length <= 300);
  assume (request2$length >= 1 && request2$length <= 300);
  assume (request3$length >= 1 && request3$length <= 300);
  // A request waits as it is until it is taken; client 0 has one at a time.
  if (asked[0]) assume (request0$valid && request0$addr == addr_was[0] && request0$length == length_was[0]);
  if (asked[1]) assume (request1$valid && request1$addr == addr_was[1] && request1$length == length_was[1]);
  if (asked[2]) assume (request2$valid && request2$addr == addr_was[2] && request2$length == length_was[2]);
  if (asked[3]) assume (request3$valid && request3$addr == addr_was[3] && request3$length == length_was[3]);
  if (due != 0) assume (!request0$valid);
  if (rvalid) assume (words_out != 0);
end

always @(posedge cr$clock) begin
  if (cr$reset) begin
    {asked, due, words_out, ar_held, taken} <= 0;
  end else begin
    asked <= {request3$valid && !request3$ready, request2$valid && !request2$ready,
      request1$valid && !request1$ready, request0$valid && !request0$ready};
    addr_was[0] <= request0$addr;
    addr_was[1] <= request1$addr;
    addr_was[2] <= request2$addr;
    addr_was[3] <= request3$addr;
    length_was[0] <= request0$length;
    length_was[1] <= request1$length;
    length_was[2] <= request2$length;
    length_was[3] <= request3$length;
    if (grant0) due <= reach[12:2];
    else if (data0$valid) due <= due - 1;
    words_out <= words_out + (ar ? {4'b0, arlen} + 12'd1 : 12'd0) - {11'b0, r};
    ar_held <= arvalid && !arready;
    ar_was <= {araddr, arlen};
    taken <= r;
  end
end

wire [32:0] burst_end = {1'b0, araddr} + {23'b0, arlen, 2'b00} + 4;
wire [3:0] given = {data3$valid, data2$valid, data1$valid, data0$valid};

always @(*) if (started) begin
  // Handshake stability (A3.2.1); bursts within a line of 256 bytes, so within 4 KiB.
  if (ar_held) assert (arvalid && {araddr, arlen} == ar_was);
  if (arvalid) assert (araddr[1:0] == 0 && araddr[7:2] + {1'b0, arlen} <= 63);
  // Memory that the driver did not register is never read, but for the rest of a word at either end.
  if (arvalid) assert ({1'b0, araddr} + 3 >= {1'b0, base} && burst_end <= {1'b0, limit} + 3);
  // Data is always taken, and each word goes to one client in the next cycle.
  if (rvalid) assert (rready);
  if (taken) assert (given != 0);
  assert ((given & (given - 4'd1)) == 0);
  // Client 0 gets the words it asked for, no more, and the last is marked.
  if (data0$valid) assert (due != 0 && data0$last == (due == 1));

  cover (data0$valid && data0$last && !data0$error && data1$last);
  cover (data0$valid && data0$error && data0$last);
  cover (ar_held && arlen == 63);
end
