// Properties of `core::Scheduler`. `cargo xtask formal` puts this text at the end of module `scheduler`; only its ports
// are used, but for what induction needs. All inputs are free in every cycle, reset included; the stamps of queues that
// wait are assumed to lie less than 2^31 cycles in the past of a clock, as their wrapping comparison needs.
//
// `item` follows the queues by two cycles, so it is judged by what the queues showed two cycles before. In this
// configuration two host packets pass a waiting command, and its turn lasts for eight cycles.

(* anyseq *) wire [31:0] now;

wire [31:0] host_rx_age = now - host_rx_stamp;
wire [31:0] host_tx_age = now - host_tx_stamp;
wire [31:0] nic_rx_age = now - nic_rx_stamp;
wire [31:0] command_age = now - command_stamp;

always @(*) begin
  if (host_rx_waits) assume (!host_rx_age[31]);
  if (host_tx_waits) assume (!host_tx_age[31]);
  if (nic_rx_waits) assume (!nic_rx_age[31]);
  if (command_waits) assume (!command_age[31]);
end

// Who is oldest, of those who wait; of equals the one with the lower number.
wire tx_before_rx = host_tx_waits && (!host_rx_waits || host_tx_age > host_rx_age);
wire command_before_nic = command_waits && (!nic_rx_waits || command_age > nic_rx_age);
wire host_any = host_rx_waits || host_tx_waits;
wire nic_any = nic_rx_waits || command_waits;
wire [31:0] host_oldest = tx_before_rx ? host_tx_age : host_rx_age;
wire [31:0] nic_oldest = command_before_nic ? command_age : nic_rx_age;
wire [2:0] nic_choice = !nic_any ? 0 : command_before_nic ? 4 : 3;
wire [2:0] host_choice = !host_any ? 0 : tx_before_rx ? 2 : 1;

// The item that each mode's definition names.
wire [2:0] oldest_of_all = host_any && !(nic_any && nic_oldest > host_oldest) ? host_choice : nic_choice;
wire [2:0] host_first = host_rx_waits ? 1 : host_tx_waits ? 2 : nic_choice;
wire [2:0] expected = mode[1] ? nic_choice : mode[0] ? host_first : oldest_of_all;

// A command's claim in host-first mode: how many host packets have gone past it, and how long its turn has lasted.
wire core_go = core_host_rx_go || core_host_tx_go;
wire claims = mode == 1 && command_waits && !command_taken;
reg [1:0] passes = 0;
reg [2:0] turned = 0;
wire due = passes == 2;
reg due_1 = 0;

always @(posedge cr$clock) begin
  due_1 <= due;
  if (cr$reset || !claims || (due && turned == 7)) begin
    passes <= 0;
    turned <= 0;
  end else if (due) turned <= turned + 1;
  else passes <= passes + core_go;
end

// The bound itself, told by nothing but the core's actions: host packets in a row that a core which does as it is
// told has moved past a command, since the command came or its last turn lapsed.
reg obedient = 1;
reg [2:0] row = 0;
always @(posedge cr$clock) begin
  obedient <= cr$reset || (obedient
    && (!core_host_rx_go || item == 1) && (!core_host_tx_go || item == 2)
    && (!core_go || consumed) && !(core_host_rx_go && core_host_tx_go));
  if (cr$reset || !claims || (due && turned == 7)) row <= 0;
  else row <= row + core_go;
end

reg lapsed = 0;
always @(posedge cr$clock) lapsed <= !cr$reset && claims && (lapsed || (due && turned == 7));

// The two cycles before this one; `known` says how many of them there are since reset.
reg [1:0] known = 0;
reg [1:0] mode_1, mode_2;
reg [2:0] expected_1, expected_2;
reg [4:0] waits_1, waits_2;
// Which of the six cycles before this one consumed an item.
reg [5:0] consumptions = 0;

always @(posedge cr$clock) begin
  {mode_2, mode_1} <= {mode_1, mode};
  {expected_2, expected_1} <= {expected_1, expected};
  {waits_2, waits_1} <= {waits_1, {command_waits, nic_rx_waits, host_tx_waits, host_rx_waits, 1'b1}};
  known <= cr$reset ? 0 : {known[0], 1'b1};
  consumptions <= cr$reset ? 0 : {consumptions[4:0], consumed};
end

always @(*) begin
  // Exclusion: the item names a queue that waited, whatever the mode and its changes; none right after reset.
  assert (item <= 4);
  if (item != 0) assert (known[1] && waits_2[item]);
  // In direct mode no host packet reaches the core.
  if (known[1] && mode_2[1]) assert (item != 1 && item != 2);
  // Silence for six cycles after an item was consumed.
  if (consumptions != 0) assert (item == 0);
  // Priority: otherwise exactly the item that the mode names.
  if (known[1] && consumptions == 0 && mode_1 == mode_2) assert (item == (due_1 ? 3'd4 : expected_2));
  // No starvation: the third host packet never goes before a command that waits.
  if (obedient) assert (row <= 2);
  if (obedient) assert (row == passes);
  // What induction needs to know of the inside: the claim is kept as it is counted here.
  if (obedient && due) assert (due_1 || consumptions[0]);
  assert (passes <= 2 && command_due == due && turn == turned);
  if (!due) assert (passed == passes[0]);

  // A host packet moves only when one waits, and then when the core says so or, in direct mode, at once.
  assert (host_rx_go == (host_rx_waits && (mode[1] || core_host_rx_go)));
  assert (host_tx_go == (host_tx_waits && (mode[1] || core_host_tx_go)));

  // The proof speaks of something: in each mode a choice among all four queues, each queue chosen.
  cover (item == 1 && waits_2 == 5'h1f && mode_2 == 1 && mode_1 == 1);
  cover (item == 2 && waits_2 == 5'h1f && mode_2 == 0 && mode_1 == 0);
  cover (item == 3 && waits_2 == 5'h1f && mode_2 == 2 && mode_1 == 2);
  cover (item == 4 && waits_2 == 5'h1f && mode_2 == 0 && mode_1 == 0);
  // A command goes before both host queues in its turn, and a host packet again when the turn has lapsed.
  cover (item == 4 && waits_2 == 5'h1f && mode_2 == 1 && mode_1 == 1 && obedient && row == 2);
  cover (lapsed && item == 1 && mode_1 == 1 && obedient && row == 1);
end
